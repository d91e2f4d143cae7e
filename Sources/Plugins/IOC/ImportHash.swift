import Pipeline

func importHash(of file: RawSpan) -> String? { nil }
