"""Signed webhooks (Standard Webhooks): the company's own endpoints, what they are told, and the sending."""
