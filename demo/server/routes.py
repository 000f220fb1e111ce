"""Where the page is called, by its own scripts and by the programs that try it as these do."""

PANELS_PATH = "/gradio_api/component_server/"  # functions of its panels
UPLOAD_PATH = "/gradio_api/upload"
