"""Stand-ins for the camera and the server, which a test can steer however fast or slow the machine is."""

import base64
import json
from typing import Any

import cv2
import numpy as np

from tests.paths import OTHER_PORTRAIT, PORTRAIT

WIDTH, HEIGHT = 640, 480

# A face's maps as the server answers them: one attribute, for which the mouth gives +2.6 of +3.4.
SMILING = {
    "attributes": ["Smiling"],
    "cells": [[[0.1, 0.1], [0.2, 0.2], [2.0, 1.0], [-0.4, 0.0]]],
    "bias": [0.2],
    "rows": [0, 85, 126, 180, 218],
    "columns": [0, 89, 178],
    "placement": [0.5, 0, 40, 0, 0.5, 100],
}


# The page's clock moves by `window.taken` milliseconds with each answer, and at no other time. The camera's frames are
# taken on it, too: by the machine's clock they would seem ever older where answers come faster than `window.taken`.
CLOCK = """
    let clock = 1000;
    window.taken = 40;
    performance.now = () => clock;
    const wanted = HTMLVideoElement.prototype.requestVideoFrameCallback;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
      return wanted.call(this, (_, details) => callback(clock, {...details, captureTime: clock}));
    };
    const answer = window.fetch;
    window.fetch = (address, options) => {
      if (String(address).includes("component_server")) clock += window.taken;
      return answer(address, options);
    };
"""


def wall() -> np.ndarray:
    """A frame without a face: (480, 640, 3) BGR."""
    return np.full((HEIGHT, WIDTH, 3), (130, 125, 120), np.uint8)


def before_the_wall(*heads: tuple[np.ndarray, int]) -> np.ndarray:
    """A frame with portraits at these distances from its left side, in pixels; later ones hide earlier ones."""
    frame = wall()
    for head, left in heads:
        frame[HEIGHT - head.shape[0] :, left : left + head.shape[1]] = head
    return frame


def heads(height: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """The heads of two people, `height` pixels high and half as wide; only the second wears glasses."""
    pictures = [cv2.imread(str(path)) for path in (PORTRAIT, OTHER_PORTRAIT)]
    squares = [cv2.resize(picture[: picture.shape[1]], (height, height)) for picture in pictures if picture is not None]
    collins, hopper = (square[:, height // 4 : height * 3 // 4] for square in squares)
    return collins, hopper


def filmed(*pictures: np.ndarray) -> str:
    """A script that replaces the camera with still pictures (BGR, one size); `window.filmed` chooses one."""
    data = [base64.b64encode(cv2.imencode(".jpg", picture)[1].tobytes()).decode() for picture in pictures]
    return f"""
        window.filmed = 0;
        const stills = {data}.map((data) => Object.assign(new Image(), {{src: "data:image/jpeg;base64," + data}}));
        navigator.mediaDevices.getUserMedia = async (wanted) => {{
          await Promise.all(stills.map((still) => still.decode()));
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [stills[0].width, stills[0].height];
          setInterval(() => canvas.getContext("2d").drawImage(stills[window.filmed], 0, 0), 50);
          const stream = canvas.captureStream(20);
          window.watched.tracks.push(...stream.getTracks());
          window.watched.wanted = wanted.video;
          return stream;
        }};
    """


def overtaken(call: int, milliseconds: int) -> str:
    """A script that answers one call for the camera, counted from 1, some time after the next call.

    With 0 it is answered just before that one, while neither plays yet.
    """
    return f"""
        const opened = navigator.mediaDevices.getUserMedia;
        let calls = 0;
        let letGo;
        const behind = new Promise((resolve) => {{ letGo = resolve; }});
        navigator.mediaDevices.getUserMedia = async (wanted) => {{
          const call = ++calls;
          const stream = await opened.call(navigator.mediaDevices, wanted);
          if (call === {call}) await behind;
          if (call === {call} + 1) ({milliseconds} ? setTimeout(letGo, {milliseconds}) : letGo());
          return stream;
        }};
    """


def face(number: int, left: int, probability: float = 0.9, **more: Any) -> dict[str, Any]:
    """A face as the server describes it, in a frame of 480x360."""
    box, conditions = [left, 100, 90, 110], {"size": 38.0, "sharpness": 0.15, "turn": 4.5}
    plain = {
        "number": number,
        "box": box,
        "probabilities": [probability] * 40,
        "warnings": [],
        "conditions": conditions,
    }
    return plain | more


def answered(*faces: dict[str, Any]) -> str:
    """A script that replaces the server: it answers each frame with `window.faces` and `window.leftOut`.

    `window.delay` is the time until the answer, in milliseconds.

    `window.messages` is what the page sent, without the pictures.
    """
    return f"""
        window.faces = {json.dumps(faces)};
        window.leftOut = 0;
        window.delay = 0;
        window.messages = [];
        const passOn = window.fetch.bind(window);
        window.fetch = async (address, options) => {{
          if (!String(address).includes("component_server")) return passOn(address, options);
          const {{frame, ...message}} = JSON.parse(options.body).data;
          window.messages.push({{...message, size: frame?.length}});
          await new Promise((resolve) => setTimeout(resolve, window.delay));
          const ms = {{wait: 1, decode: 2, detect: 3, align: 4, infer: 5}};
          return Response.json({{width: 480, height: 360, faces: window.faces, left_out: window.leftOut, ms}});
        }};
    """
