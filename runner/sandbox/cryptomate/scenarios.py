"""How a CryptoMate scenario is written: the help text for `--data` and the verdict by hand."""

from __future__ import annotations

HELP = """\
cryptomate, the "cryptomate" part of --data and the body of POST /_sandbox/data:
  {"requirements": {"default": SHAPE, "by_email": {"a@b.c": SHAPE}},
   "reviews": {"default": REVIEW, "by_email": {"a@b.c": REVIEW}},
   "clients": [{"email": "a@b.c", "status": "active"}], "cards": [...], "webhook": {...}, ...}

  SHAPE   a name, or what missing_requirements looks like: {"data": [...], "documents": [...]}
          names: phone-and-passport (default), passport-only, id-both-sides, passport-or-id, nothing,
          unknown-data (asks for something no client can send)
  REVIEW  "enabled" (default), "rejected", "never", or
          {"verdict": ..., "delay": SECONDS (--kyc-delay), "rejection_code": ..., "rejection_description": ...,
           "reject_images": {"passport": "reason" or {"reason": ..., "times": 1}},
           "after_requested_more": SHAPE, "requested_for": SECONDS, "client_status": ...}

  A verdict by hand, for a product request that is in_kyc:
  POST /_sandbox/act/verdict {"email": "a@b.c", "status": "rejected", "code": "...", "description": "..."}
  with "client_id" or "product_request_id" instead of "email"
"""
