"""How mailbot proves to a mail server who it is where passwords are out of use: by tokens that a token server gives (OAuth 2.0)."""
