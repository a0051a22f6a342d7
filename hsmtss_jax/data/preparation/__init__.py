"""Prepare data sets: from what their authors publish to records on disk. One engine, a layout a set."""
