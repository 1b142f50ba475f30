"""What Nix takes: hashes of trees as it computes them."""
