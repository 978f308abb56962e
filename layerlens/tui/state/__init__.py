"""What the screens show and what is selected in them, without a terminal."""
