"""The usual way to build a live page, to compare with ours: `python -m demo.benchmark.plain_page --port P`.

A streaming `gr.Image` for the camera, another one for the answer with its boxes, and the ticked attributes, with the
same pipeline. It is set up as well as these components allow: the camera at 640x480 (Gradio's default is 1920x1080),
JPEG both ways, frames at the camera's rate, and no visitor waiting until another's stream ends.
"""

import argparse
import time
from collections import defaultdict

import cv2
import gradio as gr
import numpy as np
import torch

from demo.pipeline.analyse import CropPredictor, Pipeline, Stream

_CAMERA = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}}


def build(pipeline: Pipeline[CropPredictor]) -> gr.Blocks:
    """Make the page: `#camera` streams the camera, `#answer` shows the analysed frames.

    Args:
        pipeline: the pipeline that all visitors share.

    Returns:
        The page, not yet launched.
    """
    cameras: defaultdict[str | None, Stream] = defaultdict(pipeline.stream)  # one for each visitor; there are few

    def analyse(frame: np.ndarray, request: gr.Request) -> tuple[np.ndarray, list[str]]:
        faces = cameras[request.session_hash].analyse(frame, time.monotonic()).faces
        shown = frame.copy()  # Gradio's frame is read-only
        for face in faces:
            x, y, width, height = face.box
            cv2.rectangle(shown, (x, y), (x + width, y + height), (45, 212, 191), 2)
        probabilities = faces[0].probabilities if faces else np.zeros(len(pipeline.attributes))
        return shown, [name for name, p in zip(pipeline.attributes, probabilities, strict=True) if p > 0.5]

    with gr.Blocks(analytics_enabled=False) as page:
        with gr.Row():
            camera = gr.Image(
                sources=["webcam"],
                streaming=True,
                format="jpeg",
                webcam_options=gr.WebcamOptions(mirror=False, constraints=_CAMERA),
                elem_id="camera",
            )
            answer = gr.Image(format="jpeg", elem_id="answer")
        ticked = gr.CheckboxGroup(list(pipeline.attributes))
        camera.stream(
            analyse,
            camera,
            [answer, ticked],
            stream_every=1 / 30,
            time_limit=600,
            concurrency_limit=None,
            show_progress="hidden",
        )
    return page


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int)
    torch.set_num_threads(1)  # as in demo.server.command
    build(Pipeline.load()).launch(
        server_name="127.0.0.1", server_port=parser.parse_args().port, share=False, quiet=True
    )
