"""The RGBA layer stack: over, transmittance, detail transfer and the store on disk."""
