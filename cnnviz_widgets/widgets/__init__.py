"""The widgets: each is a list of documented traits over one Inspector and one worker."""
