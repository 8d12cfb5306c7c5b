#!/usr/bin/env python3
"""keras_resnet50.py BATCH SECONDS CALLERS THREADS: images a second of Keras' own ResNet50 (random weights, frozen), called
by so many threads. The outside check of Assay's translation to TensorFlow: docs/figures.md. Needs the packages tensorflow
and keras, which nothing else here does."""
import os
import sys
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

batch, seconds, callers, threads = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(callers)
model = tf.keras.applications.ResNet50(weights=None)
call = tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, 224, 224, 3), tf.float32)])
call = convert_variables_to_constants_v2(call.get_concrete_function())
x = tf.constant(np.random.default_rng(1).random((batch, 224, 224, 3), dtype="float32"))
for _ in range(3):
    call(x)[0].numpy()
counts = [0] * callers
begin = time.time()


def serve(caller):
    while time.time() < begin + seconds:
        call(x)[0].numpy()
        counts[caller] += 1


workers = [threading.Thread(target=serve, args=(c,)) for c in range(callers)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(sum(counts) * batch / (time.time() - begin))
