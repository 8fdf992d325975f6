"""Real files of pictures: coder, file format, rivals, and bits-back coding.

`entropy` packs whole numbers, `files` puts a header before them, `images` has Pillow's
codecs, and `bits_back` compresses without loss, with an autoencoder as the model.
`lossless` has the rivals that lose nothing.
"""
