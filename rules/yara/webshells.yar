/*
   Web shells: server-side scripts that run what a request tells them. Every rule asks for the request input and the
   dangerous call in one short reach, or for several independent signs, so that ordinary applications stay quiet.
*/

rule WEBSHELL_PHP_Request_Into_Call : WEBSHELL PHP T1505_003 {
   meta:
      description = "PHP passes a request variable straight to eval, system or a similar call"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 85
      id = "ea9445cb-ba9c-54f2-b86f-f5270abe15fa"
   strings:
      $call = /\b(eval|assert|system|passthru|shell_exec|popen|proc_open|exec)[ \t]{0,4}\([ \t@]{0,4}(base64_decode|stripslashes|trim|urldecode|str_rot13|hex2bin)?[ \t]{0,4}\(?[ \t]{0,4}\$_(GET|POST|REQUEST|COOKIE|SERVER)[ \t]{0,2}\[/ nocase
      $tick = /`[ \t]{0,4}\$_(GET|POST|REQUEST|COOKIE)[ \t]{0,2}\[/
      $tag = /<\?(php|=|[ \t\r\n])/ nocase
   condition:
      filesize < 1MB and $tag and ($call or $tick)
}

rule WEBSHELL_PHP_Request_Names_Function : WEBSHELL PHP T1505_003 {
   meta:
      description = "PHP calls a function whose name comes from the request"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 80
      id = "9fd44e90-4a1e-5e82-ab1d-35b95464ec27"
   strings:
      $direct = /\$_(GET|POST|REQUEST|COOKIE)[ \t]{0,2}\[[^\]\r\n]{1,40}\][ \t]{0,4}\([ \t]{0,4}@?\$_(GET|POST|REQUEST|COOKIE)/
      $create = /create_function[ \t]{0,4}\([^\r\n]{0,60}\$_(GET|POST|REQUEST|COOKIE)[ \t]{0,2}\[/
      $map = /(array_map|call_user_func|array_filter|usort|register_shutdown_function)[ \t]{0,4}\([ \t]{0,4}@?\$_(GET|POST|REQUEST|COOKIE)[ \t]{0,2}\[/
      $tag = /<\?(php|=|[ \t\r\n])/ nocase
   condition:
      filesize < 1MB and $tag and any of ($direct, $create, $map)
}

rule WEBSHELL_PHP_Decoded_Blob_Run : WEBSHELL PHP T1505_003 T1027 {
   meta:
      description = "PHP evaluates a compressed or encoded block after two decoding steps"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 70
      id = "ba92b322-483a-58cd-a9bb-ad1f72b3c1ec"
   strings:
      $run = /\b(eval|assert)[ \t]{0,4}\([ \t@"'?>.]{0,12}(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|convert_uudecode|base64_decode)[ \t]{0,4}\([ \t]{0,4}(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|base64_decode|hex2bin)[ \t]{0,4}\(/ nocase
      $tag = /<\?(php|=|[ \t\r\n])/ nocase
   condition:
      filesize < 2MB and $tag and $run
}

rule WEBSHELL_PHP_Inside_Picture : WEBSHELL PHP T1505_003 T1036_008 {
   meta:
      description = "File starts like a picture but carries PHP that runs request input"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 80
      id = "b3f60851-2ecc-5786-a37d-fb72752d183b"
   strings:
      $open = "<?php" nocase
      $request = /\$_(GET|POST|REQUEST|COOKIE)[ \t]{0,2}\[/
      $run = /\b(eval|assert|system|passthru|shell_exec|exec)[ \t]{0,4}\(/
   condition:
      (uint32be(0) == 0x47494638 or uint16be(0) == 0xFFD8 or uint32be(0) == 0x89504E47)
      and filesize < 10MB
      and for any i in (1..#open) : ($run in (@open[i]..@open[i] + 2000) and $request in (@open[i]..@open[i] + 2000))
}

rule WEBSHELL_PHP_Bare_Uploader : WEBSHELL PHP T1505_003 T1105 {
   meta:
      description = "Tiny PHP page that stores any uploaded file under the name the client gave"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 55
      id = "a8f7f6a2-3e61-56db-a5a1-1bb259373a8c"
   strings:
      $move = /(move_uploaded_file|copy)[ \t]{0,4}\([ \t]{0,4}\$_FILES[^;\r\n]{1,80}tmp_name[^;\r\n]{1,60}(\$_FILES[^;\r\n]{1,40}name|\$_(GET|POST|REQUEST))/
      $check1 = "pathinfo(" nocase
      $check2 = "mime" nocase
      $check3 = "getimagesize" nocase
      $check4 = "in_array(" nocase
   condition:
      filesize < 4KB and $move and none of ($check*)
}

rule WEBSHELL_Htaccess_Handler_Abuse : WEBSHELL T1505_003 {
   meta:
      description = "Access file makes the web server run pictures or text as scripts, or prepends a script to every page"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 65
      id = "6136d852-2ada-5dde-9ef8-793d7e3b1188"
   strings:
      $handler = /(AddType|AddHandler)[ \t]{1,8}(application\/x-httpd-php|php[0-9]?-script|x-httpd-php)[^\r\n]{0,20}[ \t]\.?(jpe?g|png|gif|ico|txt|css|svg|bmp)\b/ nocase
      $prepend = /php_value[ \t]{1,8}auto_(prepend|append)_file[ \t]{1,8}["']?[^\s"']{1,80}\.(jpe?g|png|gif|ico|txt|css|tmp)/ nocase
   condition:
      filesize < 64KB and any of them
}

rule WEBSHELL_JSP_Runtime_Exec_Parameter : WEBSHELL JSP T1505_003 {
   meta:
      description = "JSP hands a request parameter to the operating system"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 85
      id = "d27745de-921f-599a-974a-22087bd42bc9"
   strings:
      $exec1 = /getRuntime\(\)[ \t\r\n]{0,8}\.[ \t\r\n]{0,8}exec[ \t]{0,4}\(/
      $exec2 = "new ProcessBuilder("
      $param = /request[ \t]{0,4}\.[ \t]{0,4}get(Parameter|Header|QueryString)[ \t]{0,4}\(/
      $stream = "getInputStream()"
      $tag = "<%"
      $tagx = "<jsp:scriptlet"
   condition:
      filesize < 100KB and any of ($tag, $tagx) and any of ($exec*) and $param and $stream
}

rule WEBSHELL_JSP_Class_From_Request : WEBSHELL JSP T1505_003 T1620 {
   meta:
      description = "JSP defines and runs a Java class that arrives encrypted or encoded in the request"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 85
      id = "37bb3e99-1e1c-5ad5-b961-36c0dab096d6"
   strings:
      $tag = "<%"
      $define = "defineClass("
      $loader = "extends ClassLoader"
      $in1 = "getReader().readLine()"
      $in2 = "request.getParameter("
      $dec1 = /Cipher\.getInstance\("AES/
      $dec2 = "BASE64Decoder"
      $dec3 = "Base64.getDecoder()"
   condition:
      filesize < 100KB and $tag and $define and $loader and any of ($in*) and any of ($dec*)
}

rule WEBSHELL_ASP_Eval_Request : WEBSHELL ASP T1505_003 {
   meta:
      description = "Classic ASP or JScript page evaluates request input"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 85
      id = "0c0dbad7-3b7e-5b21-8327-5eacc754f4f8"
   strings:
      $eval = /\b(eval|execute|executeglobal)[ \t]{0,4}\(?[ \t]{0,4}request[ \t]{0,4}([(\[]|\.(form|item|querystring|cookies|params|servervariables)\b)/ nocase
      $tag1 = "<%"
      $tag2 = /<script[^>]{0,60}runat[ \t]{0,4}=[ \t]{0,4}["']?server/ nocase
   condition:
      filesize < 200KB and $eval and any of ($tag*)
}

rule WEBSHELL_ASP_Shell_Output_To_Page : WEBSHELL ASP T1505_003 {
   meta:
      description = "Classic ASP runs a command from the request and writes its output to the page"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 80
      id = "685bb55c-746a-566d-ad4a-a719adf9ff9e"
   strings:
      $tag = "<%"
      $shell = "WScript.Shell" nocase
      $exec = /\.[ \t]{0,4}exec[ \t]{0,4}\(/ nocase
      $out = /stdout[ \t]{0,4}\.[ \t]{0,4}readall/ nocase
      $in = /request[ \t]{0,4}(\.[ \t]{0,4}(form|querystring))?[ \t]{0,4}\([ \t]{0,4}"/ nocase
   condition:
      filesize < 200KB and all of them
}

rule WEBSHELL_ASPX_Process_From_Request : WEBSHELL ASPX T1505_003 {
   meta:
      description = "ASP.NET page starts a shell with text from the request"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 80
      id = "250f29dd-be34-5cff-bd0c-c3b7d61ba1eb"
   strings:
      $page = /<%@[ \t]{0,8}(Page|WebHandler|WebService)[ \t]/ nocase
      $start = /ProcessStartInfo|Process\.Start[ \t]{0,4}\(/
      $shell = /"(cmd(\.exe)?|powershell(\.exe)?|\/bin\/(ba)?sh)"/ nocase
      $in1 = /Request[ \t]{0,4}(\.(Form|QueryString|Params|Headers|Item))?[ \t]{0,4}\[/
      $in2 = /<asp:TextBox/ nocase
      $redirect = "RedirectStandardOutput"
   condition:
      filesize < 200KB and $page and $start and $shell and $redirect and any of ($in*)
}

rule WEBSHELL_ASPX_Assembly_From_Request : WEBSHELL ASPX T1505_003 T1620 {
   meta:
      description = "ASP.NET page loads a .NET assembly that arrives in the request"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 85
      id = "d12b83a4-3021-5f63-934d-4be0f5f4264b"
   strings:
      $page = /<%@[ \t]{0,8}(Page|WebHandler|WebService)[ \t]/ nocase
      $load = /Assembly[ \t]{0,4}\.[ \t]{0,4}Load[ \t]{0,4}\(/
      $load2 = /"Load"[^;\r\n]{0,80}typeof[ \t]{0,4}\([ \t]{0,4}byte/
      $in1 = "Request.BinaryRead"
      $in2 = /Convert\.FromBase64String[ \t]{0,4}\([^;\r\n]{0,60}Request/
      $in3 = "RijndaelManaged"
      $make = "CreateInstance("
   condition:
      filesize < 200KB and $page and any of ($load*) and $make and any of ($in*)
}

rule WEBSHELL_Python_CGI_Command : WEBSHELL PYTHON T1505_003 T1059_006 {
   meta:
      description = "Python CGI script runs a command taken from the query and prints the result as a page"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 75
      id = "8b1ba16c-acf4-5c62-9420-f658eea98070"
   strings:
      $in1 = "cgi.FieldStorage("
      $in2 = /environ(\.get)?[ \t]{0,4}[\[(][ \t]{0,4}["']QUERY_STRING/
      $run1 = /os\.popen[ \t]{0,4}\(/
      $run2 = /subprocess\.(Popen|getoutput|check_output|run)[ \t]{0,4}\([^\r\n]{0,80}shell[ \t]{0,4}=[ \t]{0,4}True/
      $run3 = /(commands|subprocess)\.getoutput[ \t]{0,4}\(/
      $page = /content-type:[ \t]{0,4}text\//i
   condition:
      filesize < 100KB and uint16be(0) == 0x2321 and any of ($in*) and any of ($run*) and $page
}

rule WEBSHELL_Perl_CGI_Command : WEBSHELL PERL T1505_003 {
   meta:
      description = "Perl CGI script runs a command taken from the query and prints the result as a page"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 75
      id = "eb436960-aee4-514b-baa5-2487dc2aaf89"
   strings:
      $perl = "perl"
      $in1 = /param[ \t]{0,4}\([ \t]{0,4}["'](cmd|c|command|exec|run|x)["']/
      $in2 = /\$ENV\{[ \t]{0,4}["']?QUERY_STRING/
      $run1 = /open[ \t]{0,4}\([ \t]{0,4}(my[ \t]{1,4})?\$?\w{1,20}[ \t]{0,4},[ \t]{0,4}["'](-\||\$\w{1,20}[^"'\r\n]{0,20}\|)/
      $run2 = /(system|exec)[ \t]{0,4}\(?[ \t]{0,4}["']?\$(cmd|command|c|q|in)\b/
      $run3 = /(`|qx[({\/])[ \t]{0,4}\$(cmd|command|query)\b/
      $page = /content-type:[ \t]{0,4}text\//i
   condition:
      filesize < 100KB and uint16be(0) == 0x2321 and $perl in (0..40) and any of ($in*) and any of ($run*) and $page
}

rule WEBSHELL_CFM_Execute_Form_Input : WEBSHELL CFM T1505_003 {
   meta:
      description = "ColdFusion page executes a program named by a form or URL variable"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 80
      id = "40c5d044-393f-56cf-9f5f-e2b3bf2c0621"
   strings:
      $exec = "<cfexecute" nocase
      $in = /(name|arguments)[ \t]{0,4}=[ \t]{0,4}["'][^"'\r\n]{0,60}#[ \t]{0,4}(form|url|cgi)\./ nocase
   condition:
      filesize < 100KB and $exec and $in
}
