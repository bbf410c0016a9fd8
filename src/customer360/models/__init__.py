"""Models: who leaves, who buys again, what each is worth. Tables in, scores out."""
