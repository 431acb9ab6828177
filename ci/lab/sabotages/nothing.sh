#!/bin/sh
# Breaks nothing: for nights whose other packages do, so that they leave a mark too.
# To be diagnosed: what the other packages did.
