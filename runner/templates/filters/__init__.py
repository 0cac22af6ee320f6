"""The filters, by what they work on. Their names stand in `runner.templates.apply`."""
