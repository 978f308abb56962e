"""One layer: a byte stream in, a LayerIndex out; opens nothing."""
