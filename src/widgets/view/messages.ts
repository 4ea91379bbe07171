/** The view's words; `{n}` is a number, `{x}` a text. What a result says itself stays as it is. */
const EN = {
  waiting: 'Waiting for the result…',
  cancelled: 'The call was cancelled.',
  nothing: 'This view was given no result.',
  apply_patch: 'Patch',
  edit_file: 'Edit',
  git_diff: 'Git diff',
  run_command: 'Command',
  error: 'Error',
  hint: 'Next step',
  exit: 'exit code {n}',
  running: 'still running',
  timedOut: 'timed out',
  signal: 'ended by {x}',
  unknownExit: 'no exit code',
  process: 'process {x}',
  stdout: 'Output',
  stderr: 'Error output',
  noOutput: 'No output.',
  noDiff: 'No changes to show.',
  dryRun: 'dry run: nothing was written',
  cut: 'The result is cut.',
  next: 'Continue with',
  undo: 'To undo: rewind, checkpoint {x}',
  created: 'created',
  deleted: 'deleted',
  renamed: 'renamed',
  copied: 'copied',
  'mode-changed': 'mode changed',
  addedLines: '{n} lines added',
  removedLines: '{n} lines removed',
  more: 'Show {n} more lines',
  moreFiles: 'Show {n} more files',
  moreCharacters: '… {n} more characters',
};
type Messages = Readonly<Record<keyof typeof EN, string>>;

const VI: Messages = {
  waiting: 'Đang chờ kết quả…',
  cancelled: 'Lệnh gọi đã bị hủy.',
  nothing: 'Khung xem này không nhận được kết quả.',
  apply_patch: 'Bản vá',
  edit_file: 'Chỉnh sửa',
  git_diff: 'Git diff',
  run_command: 'Lệnh',
  error: 'Lỗi',
  hint: 'Bước tiếp theo',
  exit: 'mã thoát {n}',
  running: 'đang chạy',
  timedOut: 'hết thời gian',
  signal: 'kết thúc bởi {x}',
  unknownExit: 'không có mã thoát',
  process: 'tiến trình {x}',
  stdout: 'Đầu ra',
  stderr: 'Đầu ra lỗi',
  noOutput: 'Không có đầu ra.',
  noDiff: 'Không có thay đổi nào.',
  dryRun: 'chạy thử: chưa ghi gì',
  cut: 'Kết quả bị cắt bớt.',
  next: 'Tiếp tục với',
  undo: 'Để hoàn tác: rewind, điểm khôi phục {x}',
  created: 'đã tạo',
  deleted: 'đã xóa',
  renamed: 'đã đổi tên',
  copied: 'đã sao chép',
  'mode-changed': 'đã đổi quyền',
  addedLines: 'thêm {n} dòng',
  removedLines: 'xóa {n} dòng',
  more: 'Hiện thêm {n} dòng',
  moreFiles: 'Hiện thêm {n} tệp',
  moreCharacters: '… còn {n} ký tự',
};

const ZH: Messages = {
  waiting: '正在等待结果…',
  cancelled: '调用已取消。',
  nothing: '此视图没有收到结果。',
  apply_patch: '补丁',
  edit_file: '编辑',
  git_diff: 'Git 差异',
  run_command: '命令',
  error: '错误',
  hint: '下一步',
  exit: '退出码 {n}',
  running: '仍在运行',
  timedOut: '已超时',
  signal: '被 {x} 终止',
  unknownExit: '没有退出码',
  process: '进程 {x}',
  stdout: '输出',
  stderr: '错误输出',
  noOutput: '没有输出。',
  noDiff: '没有可显示的更改。',
  dryRun: '试运行：未写入任何内容',
  cut: '结果已被截断。',
  next: '继续',
  undo: '撤销：rewind，检查点 {x}',
  created: '已创建',
  deleted: '已删除',
  renamed: '已重命名',
  copied: '已复制',
  'mode-changed': '权限已更改',
  addedLines: '新增 {n} 行',
  removedLines: '删除 {n} 行',
  more: '再显示 {n} 行',
  moreFiles: '再显示 {n} 个文件',
  moreCharacters: '… 还有 {n} 个字符',
};

const LANGUAGES: Readonly<Record<string, Messages>> = { en: EN, vi: VI, zh: ZH };

export interface Words {
  /** BCP 47, for `lang`. */
  readonly language: string;
  say(name: keyof Messages, value?: number | string): string;
  number(value: number): string;
  /** A duration in the unit that fits. */
  duration(milliseconds: number): string;
}

/** @param locale BCP 47; anything but Vietnamese and Chinese is answered in English */
export function wordsFor(locale: string): Words {
  const language = /^(vi|zh)(?=$|[-_])/i.exec(locale)?.[1]?.toLowerCase() ?? 'en';
  const messages = LANGUAGES[language] ?? EN;
  const format = (value: number, options?: Intl.NumberFormatOptions) =>
    value.toLocaleString(language, options);
  const unit = (value: number, name: string) =>
    format(value, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: 1 });
  return {
    language: language === 'zh' ? 'zh-Hans' : language,
    say: (name, value) =>
      messages[name].replace(/\{[nx]\}/, () => (typeof value === 'number' ? format(value) : (value ?? ''))),
    number: format,
    duration(milliseconds) {
      if (milliseconds < 1000) return unit(Math.round(milliseconds), 'millisecond');
      if (milliseconds < 60_000) return unit(milliseconds / 1000, 'second');
      const seconds = Math.round(milliseconds / 1000);
      return `${unit(Math.floor(seconds / 60), 'minute')} ${unit(seconds % 60, 'second')}`;
    },
  };
}
