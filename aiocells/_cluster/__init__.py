"""A computation on a Dask cluster: what is sent there, runs there, and comes back.

Nothing here is public: what users need is in `aiocells` itself.
"""
