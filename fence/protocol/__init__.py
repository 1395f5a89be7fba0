"""What every fence agent shares: options, the proven sequence, run()."""
