"""The computers: what runs a graph. One file each."""
