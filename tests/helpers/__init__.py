"""What tests of several folders use: small materials, made files, commands, readers of what we write."""
