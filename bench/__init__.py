"""The benchmarks: each figure against the plain way, both measured in the same run on a machine of their own."""
