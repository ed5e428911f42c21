"""What 1.x had besides graphs and computers; its public names stay in `aiocells`.

Nothing else in the package may need it.
"""
