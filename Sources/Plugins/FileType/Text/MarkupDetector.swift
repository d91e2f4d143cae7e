import Pipeline

// XML vocabularies and web pages, with and without server-side code.

func kindOfXML(_ window: TextWindow) -> FileKind {
    if window.contains("windows/2004/02/mit/task") { return FileKind("Windows Task XML") }
    if window.contains("<!doctype html") || window.contains("<html") { return FileKind("HTML") }
    if window.contains("<svg") { return FileKind("SVG") }
    if window.contains("<scriptlet") { return FileKind("SCT") }
    if window.contains("<job>") || window.contains("<job ")
        || window.contains("<package>") && window.contains("<script")
    {
        return FileKind("WSF")
    }
    if window.contains("<?php") { return FileKind("PHP") }
    if window.contains("<jsp:root") || window.contains("<%@ page") { return FileKind("JSP") }
    if window.contains("<plist") { return FileKind("Apple Property List XML") }
    return FileKind("XML")
}

private let pageTags = [
    "<html", "<!doctype html", "<head", "<body", "<script", "<div", "<table", "<meta ", "<a href", "<iframe", "<form",
    "<p>", "<br", "<img ", "<span", "<title>", "<style",
]

/// Pages and the code in them; nil for a text that is no markup.
func kindOfMarkup(_ window: TextWindow) -> FileKind? {
    if let position = window.position(of: "<?php"), position < 1024, isAtLineStart(position, window),
        !window.contains("```")
    {
        return FileKind("PHP")
    }
    guard window.lower.first == 0x3C else { return nil }
    if window.contains("<?php") || window.contains("<?=") { return FileKind("PHP") }
    if window.contains("<%") { return kindOfServerPage(window) }
    if window.contains("<script") && window.contains("runat=\"server\"") { return FileKind("ASPX") }
    if window.count(of: ["<cfset ", "<cfif ", "<cfoutput", "<cfexecute", "<cfquery", "<cffile ", "<cfcomponent"]) > 0 {
        return FileKind("ColdFusion")
    }
    if window.contains("<hta:application") { return FileKind("HTA") }
    if window.contains("<scriptlet") { return FileKind("SCT") }
    let tags = window.count(of: pageTags)
    if window.begins("<!doctype html") || window.begins("<html") || tags >= 3 { return FileKind("HTML") }
    if window.begins("<script") || window.begins("<iframe") { return FileKind("HTML") }
    return isElement(window) ? kindOfXML(window) : nil
}

// `<%` is shared by three languages; the words inside tell them apart.
private func kindOfServerPage(_ window: TextWindow) -> FileKind? {
    let java = window.count(of: [
        "language=\"java\"", "language='java'", "java.", "javax.", "jsp:", "request.getparameter", "out.print",
        "import=\"",
        "getruntime()", "taglib", "string ", "<%!",
    ])
    let net = window.count(of: [
        "language=\"c#\"", "language='c#'", "language=\"jscript\"", "runat=\"server\"", "runat='server'", "codebehind",
        "inherits=", "<%@ webhandler", "<%@ webservice", "<%@ import namespace", "<%@ assembly", "system.",
        "validaterequest",
        "asp:", "request.item[", "<%@ control", "<%@ master",
    ])
    let classic = window.count(of: [
        "vbscript", "createobject(", "response.write", "request.form(", "request.querystring", "<%execute", "<%eval",
        "eval request", "execute request", "server.mappath", "end if", "dim ", "option explicit", "request(\"",
    ])
    if java == 0 && net == 0 && classic == 0 {
        // Ruby and JavaScript templates use the same marks.
        return window.begins("<%") ? FileKind("ASP") : FileKind("HTML")
    }
    if java > net && java > classic { return FileKind("JSP") }
    return FileKind(net > 0 && net >= classic ? "ASPX" : "ASP")
}

private func isAtLineStart(_ position: Int, _ window: TextWindow) -> Bool {
    var index = position
    while index > 0 {
        index -= 1
        let byte = window.lower[index]
        if byte == 0x0A || byte == 0x0D { return true }
        if byte != 0x20 && byte != 0x09 { return false }
    }
    return true
}

// An element at the start and an end of one somewhere: XML without a declaration.
private func isElement(_ window: TextWindow) -> Bool {
    guard let second = window.lower.dropFirst().first, isLetter(second) || second == 0x21 else { return false }
    return window.contains("</") || window.contains("/>") || window.begins("<!doctype") || window.begins("<!--")
}
