"""Files that browsers may keep: the page's own scripts, Gradio's, and what a browser needs to read faces itself."""
