"""What the screens read: one package per view, projected from events and rebuilt from them."""
