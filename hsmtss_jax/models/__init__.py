"""Networks of HSM-TSS (hsm_tss.py chains them) and their configs."""
