"""What the network is given of a text: windows, features of words and of contexts, side inputs."""
