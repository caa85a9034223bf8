"""Who may sign in to the drop, what they have not seen yet, and what they did."""
