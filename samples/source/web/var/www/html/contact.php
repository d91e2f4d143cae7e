<?php
declare(strict_types=1);

$name = trim((string) filter_input(INPUT_POST, 'name', FILTER_SANITIZE_SPECIAL_CHARS));
$sent = false;
if ($_SERVER['REQUEST_METHOD'] === 'POST' && $name !== '') {
    $sent = mail('maps@library.test', 'Question', 'From: ' . $name);
}
?>
<form method="post"><label>Name <input name="name"></label><button>Send</button></form>
<?php if ($sent): ?><p>Thank you, <?= $name ?>.</p><?php endif; ?>
