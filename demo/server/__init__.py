"""The SlimNet Faces page and its API: a Gradio app with a live panel, a photo panel and endpoints for programs."""

import demo.server.without_stubs  # noqa: F401  # before Gradio is imported
