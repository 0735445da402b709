"""Pages without a kernel: widgets and whole notebooks as one HTML file each.

In: widgets, or an executed notebook. Out: HTML that opens from disk and asks the network nothing.
"""
