"""From a frame to its faces, crops and probabilities: detect, follow, align, predict, judge, number, tabulate."""
