"""What `import nertool` offers: load, train, evaluate, read and convert; taggers and documents."""
