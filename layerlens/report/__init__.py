"""Values to text: tables, JSON, sizes, and the escaping that hostile text passes through."""
