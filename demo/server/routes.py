"""The paths that the page's own scripts call, and programs that test the page in the same way."""

PANELS_PATH = "/gradio_api/component_server/"  # functions of its panels
UPLOAD_PATH = "/gradio_api/upload"
