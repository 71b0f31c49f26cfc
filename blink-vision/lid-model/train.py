#!/usr/bin/env python3
"""Trains the lid model on drawn eyes and writes its parameters.

    python3 -m venv V && V/bin/pip install -r requirements.txt
    V/bin/python train.py ../src/lid/parameters.f32 [--drawings 800000] [--epochs 16]

It takes half an hour on two cores. The same seeds give the same drawings; the parameters differ in their last digits
between machines. The parameters are little-endian 32-bit floats: each layer's weights, then its biases.
"""
import argparse
import multiprocessing

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import optax

import draw

CHUNK, BATCH, HELD_BACK = 5000, 256, 4000
APERTURE_SCALE = 4  # as in src/lid.rs
LOG_VARIANCE = -7, 1
LEAST_CONTRAST = 3


def normalised(images):
    images = images.astype(np.float32)
    mean, spread = images.mean((1, 2), keepdims=True), images.std((1, 2), keepdims=True)
    return (images - mean) / (spread + LEAST_CONTRAST)


def layer(key, shape):
    inputs = np.prod(shape[:-1])
    return jax.random.normal(key, shape) * np.sqrt(2 / inputs), jnp.zeros(shape[-1])


def untrained():
    keys = jax.random.split(jax.random.PRNGKey(0), 5)
    shapes = (5, 5, 1, 8), (3, 3, 8, 16), (3, 3, 16, 32), (384, 32), (32, 4)
    return [layer(key, shape) for key, shape in zip(keys, shapes)]


def outputs(parameters, images):
    """Openness, scaled aperture, and the logarithms of their variances."""
    x = images[..., None]
    for weights, bias in parameters[:3]:
        x = jax.lax.conv_general_dilated(x, weights, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + bias)
    x = x.reshape(x.shape[0], -1)
    (hidden, hidden_bias), (last, last_bias) = parameters[3:]
    return jax.nn.relu(x @ hidden + hidden_bias) @ last + last_bias


def loss(parameters, images, labels):
    """The negative log-likelihood of the labels, each normally distributed about its output."""
    x = outputs(parameters, images)
    log_variance = jnp.clip(x[:, 2:], *LOG_VARIANCE)
    error = (x[:, :2] - labels) * jnp.array([1, APERTURE_SCALE])
    return jnp.mean(jnp.sum(error**2 * jnp.exp(-log_variance) + log_variance, axis=1))


def chunk(seed):
    cv2.setNumThreads(1)
    return draw.drawings(seed, CHUNK)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("output")
    arguments.add_argument("--drawings", type=int, default=800_000)
    arguments.add_argument("--epochs", type=int, default=16)
    arguments = arguments.parse_args()
    with multiprocessing.get_context("spawn").Pool() as pool:
        chunks = pool.map(chunk, range(arguments.drawings // CHUNK))
    images, labels = (np.concatenate(parts) for parts in zip(*chunks))
    held_images, held_labels = normalised(images[-HELD_BACK:]), labels[-HELD_BACK:]
    images, labels = images[:-HELD_BACK], labels[:-HELD_BACK]

    parameters = untrained()
    rate = optax.cosine_decay_schedule(2e-3, arguments.epochs * len(images) // BATCH)
    optimiser = optax.adamw(rate, weight_decay=1e-4)
    state = optimiser.init(parameters)

    @jax.jit
    def step(parameters, state, images, labels):
        value, gradient = jax.value_and_grad(loss)(parameters, images, labels)
        updates, state = optimiser.update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state, value

    random = np.random.default_rng(0)
    for epoch in range(arguments.epochs):
        order, values = random.permutation(len(images)), []
        for start in range(0, len(order) - BATCH, BATCH):
            batch = np.sort(order[start : start + BATCH])
            parameters, state, value = step(parameters, state, normalised(images[batch]), labels[batch])
            values.append(value)
        error = np.abs(np.array(outputs(parameters, held_images))[:, :2] - held_labels).mean(0)
        print(f"epoch {epoch + 1}: loss {np.mean(values):.3f}, held back: openness {error[0]:.3f}, aperture {error[1]:.3f}")
    with open(arguments.output, "wb") as file:
        for weights, bias in parameters:
            file.write(np.asarray(weights, "<f4").tobytes() + np.asarray(bias, "<f4").tobytes())


if __name__ == "__main__":
    main()
