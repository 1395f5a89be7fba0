"""The declarative cluster file ``vmha.yaml``: its schema, its reading, its errors."""
