"""Objectives, and the methods that train in compiled loops."""
