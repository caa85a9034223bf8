"""What a drop keeps: sealed submissions in the inbox, sealed replies in the outbox, and the files between them."""
