"""From frame to canvas: homographies, the canvas they meet on, and the clean plate."""
