"""The checks of the doctor: one check, one file, one explanation."""
