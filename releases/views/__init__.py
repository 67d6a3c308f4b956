"""The pages: each view fetches what its person may see, calls one service or selector, and renders."""
