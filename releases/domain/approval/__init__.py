"""Gates: what a policy asks for, who fills which place, and what an approval is bound to."""
