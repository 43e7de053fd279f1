"""NVD: hashed atlases with multiplicative residuals."""
