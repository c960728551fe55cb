#!/usr/bin/env python3
"""Trains a small network and can be suspended at any step.

    ccsched submit --suspendable --max-delay 6h -- python3 train.py --state D
    ccsched submit --accelerators 2 --elastic 1:8 -- python3 train.py --state D

Whether it was interrupted or not, and at whatever widths it ran, it ends with
the same weights to the last bit: they, the momentum and the random generator are
all in the checkpoint, and what a batch adds up to does not depend on how many
accelerators share it.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import hashlib
import math
import os
import pickle
import random
import struct

import ccsched_checkpoint

HIDDEN = 12


def fresh(seed):
    rng = random.Random(seed)
    weights = [rng.gauss(0, 0.5) for _ in range(4 * HIDDEN + 1)]
    return {"step": 0, "weights": weights, "momentum": [0.0] * len(weights),
            "random": rng.getstate(), "loss": None}


def gradient(w, x, y, target):
    """Loss and its gradient of a network with one hidden layer, tanh."""
    hidden = [math.tanh(w[4 * i] * x + w[4 * i + 1] * y + w[4 * i + 2])
              for i in range(HIDDEN)]
    out = w[-1] + sum(w[4 * i + 3] * hidden[i] for i in range(HIDDEN))
    error = out - target
    grad = [0.0] * len(w)
    grad[-1] = error
    for i in range(HIDDEN):
        back = error * w[4 * i + 3] * (1 - hidden[i] ** 2)
        grad[4 * i:4 * i + 4] = [back * x, back * y, back, error * hidden[i]]
    return error * error / 2, grad


def train_step(state, rng, rate=0.02, batch=16):
    """Learns whether two numbers have the same sign."""
    total = [0.0] * len(state["weights"])
    loss = 0.0
    for _ in range(batch):
        x, y = rng.uniform(-1, 1), rng.uniform(-1, 1)
        part, grad = gradient(state["weights"], x, y,
                              1.0 if x * y > 0 else -1.0)
        loss += part / batch
        total = [t + g / batch for t, g in zip(total, grad)]
    state["momentum"] = [0.9 * m + g
                         for m, g in zip(state["momentum"], total)]
    state["weights"] = [w - rate * m
                        for w, m in zip(state["weights"], state["momentum"])]
    state["loss"] = loss
    state["step"] += 1


def save(state, rng, folder):
    """Writes the state so that it is there whole or not at all."""
    state["random"] = rng.getstate()
    path = os.path.join(folder, "checkpoint.pickle")
    with open(path + ".new", "wb") as file:
        pickle.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", required=True, help="folder for checkpoints")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.state, exist_ok=True)
    guard = ccsched_checkpoint.Guard()
    path = guard.resume_from or os.path.join(args.state, "checkpoint.pickle")
    if guard.resumed and os.path.exists(path):
        with open(path, "rb") as file:
            state = pickle.load(file)
        print("resumed at step", state["step"], "width", guard.width,
              flush=True)
    else:
        state = fresh(args.seed)
        print("started width", guard.width, flush=True)
    rng = random.Random()
    rng.setstate(state["random"])
    while state["step"] < args.steps:
        train_step(state, rng)
        if guard.asked():
            print("suspended at step", state["step"], flush=True)
            guard.saved(save(state, rng, args.state))
    digest = hashlib.sha256(
        struct.pack("%dd" % len(state["weights"]), *state["weights"]))
    print("loss %.6f weights %s" % (state["loss"], digest.hexdigest()))


if __name__ == "__main__":
    main()
