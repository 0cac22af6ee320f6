"""How a Fin.com scenario is written: the help text for `--data` and the acts by hand."""

from __future__ import annotations

HELP = """\
fin, the "fin" part of --data and the body of POST /_sandbox/data:
  {"reviews": {"default": REVIEW, "by_email": {"a@b.c": REVIEW}},
   "beneficiary_reviews": {...: "active" (default), "rejected", "never", or {"status": ..., "delay": SECONDS}},
   "payouts": {...: "completed" (default), "failed", "never", or {"status": ..., "delay": SECONDS}},
   "settings": {"token_ttl": SECONDS, "reliance": true, ...}, "balance": CENTS,
   "webhook_url": "http://127.0.0.1:8900/hook", "webhook_secret": "...",
   "customers": [{"email": "a@b.c", "status": "APPROVED"}], "beneficiaries": [{"email": "a@b.c", ...}]}

  REVIEW  "approved" (default), "rejected", "never", or
          {"verdict": ..., "delay": SECONDS (--kyc-delay), "reject_labels": [...], "document_labels": [...],
           "moderation_comment": ..., "hold": SECONDS, "rfis": [ROUND, ...]}
  ROUND   what is asked for before the verdict, one round after the other: a list of sections, such as
          ["proof_of_address"], [{"section": "proof_of_identity", "document_type": "PASSPORT",
           "fields": ["files", "expiry_date"], "status": "EXPIRED"}], or the provider's own form;
          [] asks for nothing by name: attach everything again; {"request": [...], "status": "hold"} pauses and asks

  By hand, for the "email" or "customer_id" of a customer:
  POST /_sandbox/act/verdict {"email": "a@b.c", "status": "REJECTED", "reject_labels": ["LOW_QUALITY"]}
  POST /_sandbox/act/rfi     {"email": "a@b.c", "request": ["proof_of_address"]}
  and act/webhook {"url": ...}, act/beneficiary {"beneficiary_id": ..., "status": ...}, act/fund {"amount": CENTS},
  act/expire {} (all access tokens die; with "refresh": true the refresh tokens, too)
"""
