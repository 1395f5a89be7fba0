"""The command ``vmha``: one module per subcommand, listed in ``table``."""
