"""What differs between trees, as deep as the question needs: pure functions over a source of trees."""
