"""SlimNet as ONNX: the graph, and ONNX Runtime as the engine that runs it on a CPU."""
