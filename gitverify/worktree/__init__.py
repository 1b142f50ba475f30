"""The checkout compared with a verified commit (R28): nothing modified, missing, added, or ignored and yet there."""
