/// Version of the program, as `--version`, `/api/info` and the user agent of its clients show it.
public let thunderstormVersion = "0.1.0"
