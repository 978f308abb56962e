"""The words of the OCI image specifications as frozen values; nothing here does I/O."""
